using System.Reflection;
using System.Reflection.Metadata;

namespace Helix.Runbooks.Steps;

/// <summary>A type that carries an attribute, known by the attribute's first argument; loaded when it is asked for.</summary>
sealed record MarkedType(string Name, string TypeName, Assembly Assembly)
{
    public Type Load() => Assembly.GetType(TypeName, throwOnError: true)!;
}

/// <summary>
/// Finds types by attribute in the tables of an assembly (ECMA-335, II.22 and II.23.3). Reflection would load every type that there
/// is, which costs a short command half of its time.
/// </summary>
static class TypeIndex
{
    /// <exception cref="InvalidOperationException">The assembly has no tables, as one made at run time.</exception>
    public static unsafe IReadOnlyList<MarkedType> Find(Assembly assembly, Type attribute)
    {
        if (!assembly.TryGetRawMetadata(out var tables, out var length))
            throw new InvalidOperationException($"{assembly} has no metadata.");
        var reader = new MetadataReader(tables, length);
        var found = new List<MarkedType>();
        foreach (var handle in reader.CustomAttributes)
        {
            var mark = reader.GetCustomAttribute(handle);
            if (mark.Parent.Kind == HandleKind.TypeDefinition && Is(reader, mark.Constructor, attribute)
                && reader.GetTypeDefinition((TypeDefinitionHandle)mark.Parent) is var type && !type.Attributes.HasFlag(TypeAttributes.Abstract))
                found.Add(new(FirstArgument(reader, mark), NameOf(reader, type), assembly));
        }
        return found;
    }

    static bool Is(MetadataReader reader, EntityHandle constructor, Type attribute)
    {
        var type = constructor.Kind == HandleKind.MemberReference
            ? reader.GetMemberReference((MemberReferenceHandle)constructor).Parent
            : (EntityHandle)reader.GetMethodDefinition((MethodDefinitionHandle)constructor).GetDeclaringType();
        return type.Kind switch
        {
            HandleKind.TypeReference => reader.GetTypeReference((TypeReferenceHandle)type) is var t && reader.StringComparer.Equals(t.Name, attribute.Name) && reader.StringComparer.Equals(t.Namespace, attribute.Namespace!),
            HandleKind.TypeDefinition => reader.GetTypeDefinition((TypeDefinitionHandle)type) is var t && reader.StringComparer.Equals(t.Name, attribute.Name) && reader.StringComparer.Equals(t.Namespace, attribute.Namespace!),
            _ => false,
        };
    }

    static string FirstArgument(MetadataReader reader, CustomAttribute mark)
    {
        var value = reader.GetBlobReader(mark.Value);
        value.ReadUInt16(); // the prolog
        return value.ReadSerializedString()!;
    }

    static string NameOf(MetadataReader reader, TypeDefinition type)
    {
        var name = reader.GetString(type.Name);
        var outer = type.GetDeclaringType();
        return !outer.IsNil ? $"{NameOf(reader, reader.GetTypeDefinition(outer))}+{name}"
            : type.Namespace.IsNil ? name
            : $"{reader.GetString(type.Namespace)}.{name}";
    }
}
